-- A copy of a database must not reach the source apps, nor be reached by them.
UPDATE fusion_billing_webhook_endpoint
   SET webhook_url = NULL,
       webhook_secret_encrypted = NULL,
       webhook_previous_secret_encrypted = NULL;
DELETE FROM fusion_billing_api_key;
-- Nor does its history say where they are, and what was entered in a dialog is gone.
DELETE FROM mail_tracking_value
 WHERE field_id IN (SELECT id FROM ir_model_fields
                     WHERE model = 'fusion.billing.service'
                       AND name LIKE 'webhook_%')
    OR (field_info ->> 'name') LIKE 'webhook_%';
DELETE FROM fusion_billing_webhook_secret_wizard;
