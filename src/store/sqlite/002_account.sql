-- Which account a lane works: ids belong to it alone. `binding` counts its changes; a delivery holds the one it was last claimed under.
ALTER TABLE lane ADD COLUMN account TEXT;
ALTER TABLE lane ADD COLUMN binding INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN binding INTEGER NOT NULL DEFAULT 0;
