-- Contents that were kept while no scanner was configured: handed out when there is one, whatever it says of its signatures.
CREATE INDEX content_skipped ON content (tenant, id) WHERE turn = 3 AND scan = 'skipped' AND store_key IS NOT NULL;
