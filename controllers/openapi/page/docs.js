"use strict";
for (const block of document.querySelectorAll("pre")) {
    const frame = document.createElement("div");
    frame.className = "code";
    block.replaceWith(frame);
    const button = document.createElement("button");
    button.className = "copy";
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(block.textContent);
            button.textContent = "Copied";
        } catch {
            getSelection().selectAllChildren(block); // not served by HTTPS
            button.textContent = "Press Ctrl+C";
        }
        setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    frame.append(block, button);
}
const filter = document.getElementById("filter");
filter.hidden = false;
filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase();
    for (const item of document.querySelectorAll("nav li li")) {
        item.hidden = !item.textContent.toLowerCase().includes(words);
    }
});
for (const link of document.querySelectorAll("nav li a")) {
    link.addEventListener("click", () => {
        document.getElementById("menu").checked = false;
    });
}
