import { registry } from "@web/core/registry";
import { localization } from "@web/core/l10n/localization";
import { insertThousandsSep } from "@web/core/utils/numbers";
import { FloatField, floatField } from "@web/views/fields/float/float_field";

const MAX_DECIMALS = 10;
// What a double holds of any decimal number; beyond it lies the noise of sums.
const SIGNIFICANT = 15;

/**
 * Format a quantity or price as it was entered: 12.5, not 12.5000000000.
 *
 * Odoo's own formatter rounds by multiplying, so that with ten decimals it shows
 * 133875 as 133,875.0000000001. The shortest text that stands for the number has
 * no such noise.
 *
 * @param {number | false | null | undefined} value
 * @returns {string} with the separators of the user's language
 */
export function formatDecimal(value) {
    // A pivot has null where there is no sum.
    if (value === false || value === null || value === undefined) {
        return "";
    }
    const exact = Number(value.toPrecision(SIGNIFICANT));
    let text = String(exact);
    if (text.includes("e")) {
        text = exact.toFixed(MAX_DECIMALS);
    }
    const [whole, decimals = ""] = text.split(".");
    const kept = decimals.slice(0, MAX_DECIMALS).replace(/0+$/, "");
    const grouped = insertThousandsSep(
        whole,
        localization.thousandsSep,
        localization.grouping
    );
    return kept ? grouped + localization.decimalPoint + kept : grouped;
}

export class DecimalField extends FloatField {
    get formattedValue() {
        return formatDecimal(this.value);
    }
}

registry.category("formatters").add("fusion_decimal", formatDecimal);
registry.category("fields").add("fusion_decimal", {
    ...floatField,
    component: DecimalField,
});
