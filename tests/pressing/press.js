// What a person does with a page of the web client: open it, press, answer what is asked.
// Loaded once into each page; `pressed()` tells what came of it.
(() => {
    const { rpcBus } = odoo.loader.modules.get("@web/core/network/rpc");
    const { browser } = odoo.loader.modules.get("@web/core/browser/browser");
    const services = odoo.__WOWL_DEBUG__.root.env.services;
    const asked = new Set();
    let calls, errors, opened;

    rpcBus.addEventListener("RPC:REQUEST", ({ detail: { data, url } }) => {
        asked.add(data.id);
        const { model, method, action_id: action } = data.params;
        if (url.startsWith("/web/dataset/call_button")) {
            calls.push([model, method]);
        } else if (url === "/web/action/load") {
            calls.push(["action", String(action)]);
        }
    });
    rpcBus.addEventListener("RPC:RESPONSE", ({ detail: { data, error } }) => {
        asked.delete(data.id);
        if (error) {
            errors.push([error.exceptionName || "", error.data?.message || error.message]);
        }
    });
    browser.open = (url) => opened.push(url);

    const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    // Nothing is asked of the server, and nothing is about to be.
    const settled = async () => {
        for (let quiet = 0; quiet < 3; ) {
            await frame();
            await pause(5);
            quiet = asked.size ? 0 : quiet + 1;
        }
    };
    const seen = (element) => element.checkVisibility({ visibilityProperty: true });
    const find = (selector, within = document) =>
        [...within.querySelectorAll(selector)].find(seen);
    const until = async (look, tries = 200) => {
        for (; tries; tries--) {
            const found = look();
            if (found) { return found; }
            await pause(10);
        }
    };

    const open = async ({ model, id, view, kind, context }) => {
        services.dialog.closeAll();
        const action = {
            type: "ir.actions.act_window",
            res_model: model,
            views: [[view, kind]],
            context,
        };
        if (kind === "form") { action.res_id = id; } else { action.domain = [["id", "=", id]]; }
        await services.action.doAction(action, { clearBreadcrumbs: true });
        await settled();
    };

    // A button may be on another page of the form, or behind "More".
    const locate = async (name, row) => {
        const selector = ["button", "a"]
            .map((tag) => `.o_action_manager ${row} ${tag}[name="${name}"]:not([disabled])`)
            .join();
        const look = () => find(selector);
        if (look()) { return look(); }
        for (const tab of document.querySelectorAll(".o_notebook .nav-link, .o_button_more")) {
            tab.click();
            await settled();
            if (look()) { return look(); }
            const more = find(`.o-dropdown--menu [name="${name}"]`);
            if (more) { return more; }
        }
    };

    const type = (input, value) => {
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const OFFERED =
        ".o-autocomplete--dropdown-item:not(.o_m2o_dropdown_option) a:not(.o_loading)";
    const VALUES = { number: "1", date: "01/31/2026" };
    const fill = async (dialog) => {
        for (const field of dialog.querySelectorAll(".o_required_modifier.o_field_widget")) {
            const input = find("input, textarea", field);
            if (!input || input.value || field.querySelector(".o_tag")) { continue; }
            if (field.querySelector(".o-autocomplete")) {
                input.click();
                (await until(() => find(OFFERED), 500))?.click();
            } else if (field.matches(".o_field_date, .o_field_datetime")) {
                type(input, VALUES.date);
            } else if (field.matches(".o_field_integer, .o_field_float, .o_field_monetary")) {
                type(input, VALUES.number);
            } else {
                type(input, "A sample reason");
            }
            await settled();
        }
    };
    // Confirms what is asked, and goes through a wizard by the button that stands out.
    const answer = async (choice) => {
        const done = new Set();
        for (let step = 0; step < 6; step++) {
            const dialog = [...document.querySelectorAll(".modal")].filter(seen).pop();
            if (!dialog || errors.length || dialog.querySelector(".o_error_dialog")) { return; }
            if (dialog.querySelector(".o_form_view")) {
                await fill(dialog);
                const buttons = [...dialog.querySelectorAll("button[name]:not([disabled])")]
                    .filter(seen)
                    .filter(({ name }) => name && !done.has(name));
                const next = buttons.find(({ name }) => name === choice)
                    || buttons.find((button) => button.matches(".btn-primary"));
                if (!next) { return; }
                done.add(next.name);
                const before = calls.length;
                next.click();
                if (!(await until(() => calls.length > before || errors.length, 500))) {
                    const bad = [...dialog.querySelectorAll(".o_field_invalid")]
                        .map((field) => field.getAttribute("name"));
                    errors.push(["", `No ${next.name}; not filled: ${bad}`]);
                }
            } else if (dialog.querySelector(".modal-footer .btn-primary")) {
                find(".modal-footer .btn-primary", dialog).click();
            } else {
                return;
            }
            await settled();
        }
    };

    const pick = async () => {
        const box = await until(() => find(".o_data_row .o_list_record_selector input"), 50);
        box?.click();
        await settled();
    };
    const result = (extra) => {
        const dialog = document.querySelector(".o_error_dialog");
        return JSON.stringify({ calls, errors, opened, dialog: dialog ? dialog.innerText : null, ...extra });
    };
    window.pressed = async (target) => {
        calls = [];
        errors = [];
        opened = [];
        await open(target);
        calls = [];
        if (errors.length) { return result({ found: false }); }
        let button;
        if (target.menu) {
            if (target.kind === "list") { await pick(); }
            find(".o_cp_action_menus button .fa-cog")?.closest("button").click();
            await settled();
            button = [...document.querySelectorAll(".o-dropdown-item")]
                .find((item) => item.textContent.trim() === target.menu);
        } else {
            const rows = { row: ".o_data_row, .o_kanban_record", header: ".o_control_panel" };
            const places = (rows[target.place] || "").split(", ");
            if (target.kind === "list" && target.place === "header") { await pick(); }
            for (const place of places) { button ||= await locate(target.name, place); }
        }
        if (!button) { return result({ found: false }); }
        button.click();
        await settled();
        await answer(target.choice);
        return result({ found: true });
    };
})();
