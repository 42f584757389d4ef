// What a customer does with a page of the portal. Loaded into each page anew.
(() => {
    const PRESSED = "#wrap button, #wrap a[role=button], #wrap a[name]";
    const all = () => [...document.querySelectorAll(PRESSED)];
    const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
    const seen = (element) => element.checkVisibility({ visibilityProperty: true });
    // The page may still be loading its scripts: pressed until something comes of it.
    const press = async (element, done) => {
        for (let tries = 0; tries < 40; tries++) {
            if (done()) { return; }
            element.click();
            for (let wait = 0; wait < 10 && !done(); wait++) { await pause(25); }
        }
        throw new Error(`Nothing comes of ${element.outerHTML.slice(0, 120)}`);
    };
    // A dialog is opened by the button that leads to it, which may be in a dialog too.
    const show = async (dialog) => {
        if (!dialog || dialog.matches(".show")) { return; }
        const opener = all().find((one) => one.dataset.bsTarget === `#${dialog.id}`
            && !dialog.contains(one) && one.name !== "");
        if (!opener) { throw new Error(`Nothing opens ${dialog.id}`); }
        await show(opener.closest(".modal"));
        await press(opener, () => dialog.matches(".show"));
        await pause(350); // it slides in, and hears nothing before
    };
    const fill = (form) => {
        for (const input of form.querySelectorAll("input[required]:not([value])")) {
            input.value ||= input.max || input.min || "1";
        }
        if (!form.checkValidity()) { throw new Error("The form is not valid"); }
    };
    window.portal = {
        /// The names of what can be pressed, in order; "" for what closes a dialog.
        list: () => JSON.stringify(all().map((one) =>
            one.getAttribute("name") || (one.closest("[id^=subscription_]") ? "" : null))),
        /// "left" when the page is about to be another.
        press: async (index) => {
            const element = all()[index];
            await show(element.closest(".modal"));
            if (!seen(element)) { return "hidden"; }
            if (element.dataset.bsTarget) {
                const dialog = document.querySelector(element.dataset.bsTarget);
                await press(element, () => dialog.matches(".show"));
            } else if (element.dataset.bsDismiss) {
                const dialog = element.closest(".modal");
                await press(element, () => !dialog.matches(".show"));
            } else if (element.matches("a")) {
                const { href } = element;
                if (!href) { throw new Error("A link to nowhere"); }
                const inside = new URL(href).origin === location.origin;
                const answer = inside && await fetch(href);
                if (answer && !answer.ok) { throw new Error(`${href}: ${answer.status}`); }
            } else {
                fill(element.form);
                window.isBefore = true;
                setTimeout(() => element.click(), 0);
                return "left";
            }
            return "";
        },
        after: () => {
            const [{ responseStatus }] = performance.getEntriesByType("navigation");
            const bad = document.querySelector(
                ".alert-danger[name^=message_], .alert-warning[name^=message_]");
            return JSON.stringify([responseStatus, bad ? bad.innerText : ""]);
        },
    };
})();
