-- A copy of a database must not reach the source apps, nor be reached by them.
UPDATE fusion_billing_service
   SET webhook_url = NULL,
       webhook_secret_encrypted = NULL,
       webhook_previous_secret_encrypted = NULL;
DELETE FROM fusion_billing_api_key;
