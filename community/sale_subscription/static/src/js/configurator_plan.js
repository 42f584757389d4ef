import { patch } from "@web/core/utils/patch";
import { ComboConfiguratorDialog } from "@sale/js/combo_configurator_dialog/combo_configurator_dialog";
import { ProductConfiguratorDialog } from "@sale/js/product_configurator_dialog/product_configurator_dialog";
import { SaleOrderLineProductField } from "@sale/js/sale_product_field";

// The configurators show the price before there is a line: tell the server the plan.

patch(SaleOrderLineProductField.prototype, {
    get planId() {
        return this.props.record.model.root.data.plan_id?.id;
    },
    _getAdditionalRpcParams() {
        const params = super._getAdditionalRpcParams();
        return this.planId ? { ...params, plan_id: this.planId } : params;
    },
    _getAdditionalDialogProps() {
        const props = super._getAdditionalDialogProps();
        return this.planId ? { ...props, planId: this.planId } : props;
    },
});

for (const Dialog of [ProductConfiguratorDialog, ComboConfiguratorDialog]) {
    patch(Dialog, {
        props: { ...Dialog.props, planId: { type: Number, optional: true } },
    });
    patch(Dialog.prototype, {
        _getAdditionalRpcParams() {
            const params = super._getAdditionalRpcParams();
            const planId = this.props.planId;
            return planId ? { ...params, plan_id: planId } : params;
        },
    });
}
