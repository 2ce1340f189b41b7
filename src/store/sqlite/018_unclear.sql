-- Calls for a person or a company whose outcome is not known: who shares one with another message asks before it makes a second.
CREATE INDEX step_unclear ON step (kind, key) WHERE state IN ('sent', 'unknown') AND kind IN ('person', 'company');
