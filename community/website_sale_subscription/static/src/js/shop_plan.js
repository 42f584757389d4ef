import { ComboConfiguratorDialog } from "@sale/js/combo_configurator_dialog/combo_configurator_dialog";
import { ProductConfiguratorDialog } from "@sale/js/product_configurator_dialog/product_configurator_dialog";
import { patch } from "@web/core/utils/patch";
import { markup } from "@odoo/owl";
import { setElementContent } from "@web/core/utils/html";
import { patchDynamicContent } from "@web/public/utils";
import { WebsiteSale } from "@website_sale/interactions/website_sale";

// The plan chosen on the page of a product goes along with every request about it.

function getPlanId(el) {
    const value = el.querySelector("input[name='plan_id']:checked")?.value;
    return value === undefined ? undefined : parseInt(value);
}

patch(WebsiteSale.prototype, {
    setup() {
        super.setup();
        // On the container: its content is replaced with every answer.
        patchDynamicContent(this.dynamicContent, {
            ".o_plan_choices": { "t-on-change": this.onChangePlan.bind(this) },
        });
    },

    onChangePlan(ev) {
        this.triggerVariantChange(ev.currentTarget.closest(".js_product"));
    },

    _getOptionalCombinationInfoParam(product) {
        const params = super._getOptionalCombinationInfoParam(...arguments);
        const planId = getPlanId(product);
        return planId === undefined ? params : { ...params, plan_id: planId };
    },

    _onChangeCombination(ev, parent, combination) {
        super._onChangeCombination(...arguments);
        const choices = parent.querySelector(".o_plan_choices");
        if (choices && combination.plan_choices_html) {
            setElementContent(choices, markup(combination.plan_choices_html));
        }
        if (combination.plan_minimum) {
            // There is a quantity to be chosen that it is sold in.
            const quantity = parent.querySelector(".css_quantity");
            quantity?.classList.replace("d-none", "d-inline-flex");
        }
        for (const period of parent.querySelectorAll(".o_price_period")) {
            period.classList.toggle("d-none", !combination.price_period);
            period.querySelector("span").textContent = combination.price_period;
        }
    },

    _updateRootProduct(form) {
        super._updateRootProduct(...arguments);
        const planId = getPlanId(form.closest(".js_product") ?? form);
        if (planId !== undefined) {
            this.rootProduct.plan_id = planId;
        }
    },
});

for (const Dialog of [ProductConfiguratorDialog, ComboConfiguratorDialog]) {
    patch(Dialog, {
        props: { ...Dialog.props, plan_id: { type: Number, optional: true } },
    });
    patch(Dialog.prototype, {
        _getAdditionalRpcParams() {
            const params = super._getAdditionalRpcParams();
            const planId = this.props.plan_id;
            return planId === undefined ? params : { ...params, plan_id: planId };
        },
    });
}
