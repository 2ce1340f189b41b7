-- Calls for what several messages can share, whose outcome is not known: who asks for the same record looks here before a second is made.
CREATE INDEX step_unclear ON step (kind, key) WHERE state IN ('sent', 'unknown') AND kind IN ('person', 'company', 'deal');
