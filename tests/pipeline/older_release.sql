BEGIN TRANSACTION;
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('83ad62f0-6b10-480c-81cf-c63e30dd5516','stlflow-1',1795889016000,1795889016000,'stlflow');
CREATE TABLE dbos_migrations (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "dbos_migrations" VALUES(125);
CREATE TABLE decisions (
	submission INTEGER NOT NULL, 
	stage TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	revision TEXT NOT NULL, 
	rule TEXT NOT NULL, 
	passed TEXT, 
	facts TEXT NOT NULL, 
	devices TEXT, 
	device_id TEXT, 
	PRIMARY KEY (submission, stage), 
	FOREIGN KEY(submission) REFERENCES submissions (id) ON DELETE CASCADE
);
CREATE TABLE events (
	id INTEGER NOT NULL, 
	submission INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	event TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(submission) REFERENCES submissions (id)
);
INSERT INTO "events" VALUES(1,1,1795889024.23452,'claimed','processing/1~queued.stl');
INSERT INTO "events" VALUES(2,2,1.795889024432945013e+09,'claimed','processing/2~cut.stl');
INSERT INTO "events" VALUES(3,3,1.79588902446823215483e+09,'claimed','processing/3~parked.stl');
INSERT INTO "events" VALUES(4,3,1.79588902454163789742e+09,'uploaded','part version p3, slice job s3');
INSERT INTO "events" VALUES(5,4,1.79588902467812561994e+09,'claimed','processing/4~asked.stl');
INSERT INTO "events" VALUES(6,4,1.79588902473748660091e+09,'uploaded','part version p4, slice job s4');
INSERT INTO "events" VALUES(7,5,1795889024.79318,'claimed','processing/5~sending.stl');
INSERT INTO "events" VALUES(8,5,1.79588902485646748543e+09,'sliced','');
INSERT INTO "events" VALUES(9,6,1.79588902495779395105e+09,'claimed','processing/6~held.stl');
INSERT INTO "events" VALUES(10,6,1.79588902500888371468e+09,'held','Under 2 mm long');
INSERT INTO "events" VALUES(11,7,1.79588902505644798274e+09,'claimed','processing/7~device.stl');
INSERT INTO "events" VALUES(12,7,1.79588902509782791143e+09,'held','No printer is free.');
INSERT INTO "events" VALUES(13,8,1.79588902515270137788e+09,'claimed','processing/8~done.stl');
INSERT INTO "events" VALUES(14,8,1.7958890252358384132e+09,'dispatched','job_request: receipt r8');
CREATE TABLE forgotten_sends (
	build_id TEXT NOT NULL, 
	receipt_id TEXT NOT NULL
);
CREATE TABLE left_files (
	path TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	ctime_ns BIGINT NOT NULL, 
	submission INTEGER NOT NULL, 
	gone_since FLOAT, 
	PRIMARY KEY (path), 
	FOREIGN KEY(submission) REFERENCES submissions (id)
);
CREATE TABLE marks (
	name TEXT NOT NULL, 
	value TEXT, 
	PRIMARY KEY (name)
);
INSERT INTO "marks" VALUES('name','a818a1');
INSERT INTO "marks" VALUES('share','4477715e2d8ee77efaad9080ba06d697');
INSERT INTO "marks" VALUES('rules trouble','');
CREATE TABLE notifications (
    message_uuid TEXT NOT NULL DEFAULT (hex(randomblob(16))) PRIMARY KEY,
    destination_uuid TEXT NOT NULL,
    topic TEXT,
    message TEXT NOT NULL,
    created_at_epoch_ms INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000), "serialization" TEXT DEFAULT NULL, "consumed" BOOLEAN NOT NULL DEFAULT FALSE, consumed_by_function_id INTEGER,
    FOREIGN KEY (destination_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE "operation_outputs" (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    function_name TEXT NOT NULL DEFAULT '',
    output TEXT,
    error TEXT,
    child_workflow_id TEXT,
    started_at_epoch_ms INTEGER,
    completed_at_epoch_ms INTEGER,
    serialization TEXT,
    application_name TEXT DEFAULT NULL,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    PRIMARY KEY (workflow_uuid, function_id)
);
CREATE TABLE queues (
    queue_id TEXT PRIMARY KEY DEFAULT (hex(randomblob(16))),
    name TEXT NOT NULL UNIQUE,
    concurrency INTEGER,
    worker_concurrency INTEGER,
    rate_limit_max INTEGER,
    rate_limit_period_sec REAL,
    priority_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    partition_queue BOOLEAN NOT NULL DEFAULT FALSE,
    polling_interval_sec REAL NOT NULL DEFAULT 1.0,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL, "partition_concurrency" INTEGER DEFAULT NULL, "partition_worker_concurrency" INTEGER DEFAULT NULL, "partition_rate_limit_max" INTEGER DEFAULT NULL, "partition_rate_limit_period_sec" REAL DEFAULT NULL);
CREATE TABLE rulebooks (
	revision TEXT NOT NULL, 
	text TEXT NOT NULL, 
	first_used_at FLOAT NOT NULL, 
	PRIMARY KEY (revision)
);
INSERT INTO "rulebooks" VALUES('95896559e795','# yaml-language-server: $schema=rules.schema.json
# stlflow rules: what happens to a part that somebody drops into the inbox.
#
# There are two lists. In each, the rules are looked at from top to bottom, and the FIRST one that
# fits decides. A rule fits when everything under its `when` is true. The last rule of a list has no
# `when`: it takes whatever is left, so that every part gets a decision.
#
# After a change:   stlflow rules check     finds every mistake, with its line
#                   stlflow rules explain rush/bracket.stl   says what would happen, and why
version: 1

# --- Before the upload: how is the part sliced, or what is wrong with it? -------------------------
intake:
  - name: longer than any bed
    when: {longest_mm: "> 525"}
    reject: "Longer than 525 mm: no printer takes it. Split the part."

  # Held means: a person has a look, and then releases the file or corrects it.
  - name: looks like inches
    when: {longest_mm: "< 2"}
    hold: "Under 2 mm long: exported in inches or metres?"

  # The title of a settings preset in Eiger; its id will do as well.
  - name: metal
    when: {path: "metal/**"}        # everything in the folder metal, subfolders too
    preset: 17-4 PH

  - name: everything else
    preset: Onyx

# --- After slicing: where does the build go? ------------------------------------------------------
routing:
  - name: rush
    when: {path: "rush/**", build.print_hours: "<= 8"}
    send_to: device_queue
    device: {series: Desktop Series, material: loaded, choose: soonest}
    otherwise: job_request          # when no such printer has the material and is in order

  - name: long prints
    when: {build.print_hours: "> 8"}
    send_to: backlog
    due: +3 working days

  - name: everything else
    send_to: job_request

# --- The rules'' own tests: they say what is meant, and fail when a change breaks it ---------------
tests:
  - name: a rushed bracket goes to a printer
    file: {path: rush/bracket.stl, longest_mm: 80}
    build: {print_hours: 2}
    expect: {preset: Onyx, send_to: device_queue, rule: rush}

  - name: rush or not, more than eight hours wait in the backlog
    file: {path: rush/housing.stl, longest_mm: 210}
    build: {print_hours: 19.5}
    today: 2026-12-17               # a Thursday
    expect: {send_to: backlog, rule: long prints, due: 2026-12-22}

  - name: an ordinary part is asked for
    file: {path: bracket.stl, longest_mm: 80}
    build: {print_hours: 2}
    expect: {preset: Onyx, send_to: job_request, rule: everything else}

  - name: metal has its own preset
    file: {path: metal/pumps/impeller.stl, longest_mm: 60}
    expect: {preset: 17-4 PH, rule: metal}

  - name: too long
    file: {path: rail.stl, longest_mm: 612}
    expect: {reject: "*Split the part.", rule: longer than any bed}

  - name: inches
    file: {path: bracket.stl, longest_mm: 1.6}
    expect: {hold: "*inches or metres?", rule: looks like inches}
',1.7958890153566167355e+09);
CREATE TABLE sends (
	submission INTEGER NOT NULL, 
	copy INTEGER NOT NULL, 
	token TEXT NOT NULL, 
	intent_at FLOAT NOT NULL, 
	deadline FLOAT NOT NULL, 
	times INTEGER NOT NULL, 
	lost TEXT, 
	receipt_id TEXT, 
	settled_at FLOAT, 
	reconciled BOOLEAN NOT NULL, 
	PRIMARY KEY (submission, copy), 
	FOREIGN KEY(submission) REFERENCES submissions (id)
);
INSERT INTO "sends" VALUES(5,1,'b3c969392c0747728b22e2a0c496d1fc',1.79588902486492180826e+09,1.79588908486492180825e+09,1,NULL,NULL,NULL,0);
CREATE TABLE set_aside (
	path TEXT NOT NULL, 
	accepted BOOLEAN NOT NULL, 
	PRIMARY KEY (path)
);
CREATE TABLE streams (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    "offset" INTEGER NOT NULL, function_id INTEGER NOT NULL DEFAULT 0, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key, "offset"),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE submissions (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	path TEXT NOT NULL, 
	state TEXT NOT NULL, 
	opened_at FLOAT NOT NULL, 
	claimed_as TEXT, 
	left_in_place BOOLEAN NOT NULL, 
	size BIGINT, 
	sha256 TEXT, 
	reason TEXT, 
	mesh TEXT, 
	preset TEXT, 
	intake_rule TEXT, 
	part_version_id TEXT, 
	slice_job_id TEXT, 
	uploaded_at FLOAT, 
	build_id TEXT, 
	routing_rule TEXT, 
	destination TEXT, 
	device TEXT, 
	receipt_id TEXT, 
	ended_at FLOAT, 
	preset_id TEXT, 
	owner_id TEXT, 
	folder_id TEXT, 
	device_id TEXT, 
	due_date TEXT, 
	slice_status TEXT, 
	hold TEXT, 
	released BOOLEAN NOT NULL, 
	passed TEXT, 
	placed_as TEXT, 
	step TEXT, 
	due_at FLOAT, 
	turn INTEGER NOT NULL, 
	tries INTEGER NOT NULL, 
	waiting_since FLOAT, 
	reused INTEGER, 
	worker TEXT, 
	home TEXT, 
	dropped_by TEXT, 
	copies INTEGER, 
	approve_first BOOLEAN, 
	origin TEXT
);
INSERT INTO "submissions" VALUES(1,'queued.stl','claimed',1.79588902417136430742e+09,'processing/1~queued.stl',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'intake',1.79588902421789884571e+09,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "submissions" VALUES(2,'cut.stl','claimed',1.79588902437142419821e+09,'processing/2~cut.stl',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'intake',NULL,0,0,NULL,NULL,'old-host-c804c8',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "submissions" VALUES(3,'parked.stl','slicing',1.795889024457975626e+09,'processing/3~parked.stl',0,NULL,'3333333333333333333333333333333333333333333333333333333333333333',NULL,NULL,NULL,NULL,'p3','s3',1.79588902417133688925e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'poll',1.79589022417133688932e+09,1,0,1.79588902417133688925e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "submissions" VALUES(4,'asked.stl','slicing',1.79588902464499139792e+09,'processing/4~asked.stl',0,NULL,'4444444444444444444444444444444444444444444444444444444444444444',NULL,NULL,NULL,NULL,'p4','s4',1.79588902417133688925e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'poll',NULL,1,0,1.79588902417133688925e+09,NULL,'old-host-c804c8',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "submissions" VALUES(5,'sending.stl','routed',1.79588902478290605548e+09,'processing/5~sending.stl',0,NULL,'5555555555555555555555555555555555555555555555555555555555555555',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'b5',NULL,'job_request',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'deliver',NULL,1,0,NULL,NULL,'old-host-c804c8',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "submissions" VALUES(6,'held.stl','held',1.79588902494680833815e+09,'processing/6~held.stl',0,NULL,NULL,'Under 2 mm long',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'rule',0,NULL,NULL,NULL,NULL,1,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "submissions" VALUES(7,'device.stl','held',1.79588902505332088464e+09,'processing/7~device.stl',0,NULL,NULL,'No printer is free.',NULL,NULL,NULL,NULL,NULL,NULL,'b7',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'device',0,NULL,NULL,'deliver',1.79588962417133688929e+09,1,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "submissions" VALUES(8,'done.stl','dispatched',1.7958890251486713886e+09,'processing/8~done.stl',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'r8',1.79588902417133688925e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "submissions" VALUES(9,'opened.stl','claimed',1.79588902526715421675e+09,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,0,0,NULL,NULL,'old-host-c804c8',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE workers (
	name TEXT NOT NULL, 
	home TEXT NOT NULL, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	release TEXT NOT NULL, 
	since FLOAT NOT NULL, 
	seen_at FLOAT NOT NULL, 
	beat TEXT NOT NULL, 
	complaints INTEGER, 
	paused_until FLOAT, 
	PRIMARY KEY (name)
);
INSERT INTO "workers" VALUES('vm-bf8b89','47b93acaaf7c4bf3b39c823a43bf3f3e','vm',15938,'0.1.0',1.7958890153733217716e+09,1.7958890176059789657e+09,'e0588f3766a54e4f9825461fa8e2bd2e',0,1.7958890176059789657e+09);
INSERT INTO "workers" VALUES('old-host-c804c8','old-home','old-host',4711,'0.1.0',1.79588902412749719622e+09,1.79588902412749719622e+09,'b7c02417286147918094d3f91ccc57c1',NULL,NULL);
CREATE TABLE workflow_events (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events_history (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, function_id, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_input (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    inputs TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
CREATE TABLE workflow_schedules (
    schedule_id TEXT PRIMARY KEY,
    schedule_name TEXT NOT NULL UNIQUE,
    workflow_name TEXT NOT NULL,
    workflow_class_name TEXT,
    schedule TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    context TEXT NOT NULL
, "last_fired_at" TEXT DEFAULT NULL, "automatic_backfill" BOOLEAN NOT NULL DEFAULT FALSE, "cron_timezone" TEXT DEFAULT NULL, "queue_name" TEXT DEFAULT NULL, "application_name" TEXT DEFAULT NULL);
CREATE TABLE workflow_status (
    workflow_uuid TEXT PRIMARY KEY,
    status TEXT,
    name TEXT,
    authenticated_user TEXT,
    assumed_role TEXT,
    authenticated_roles TEXT,
    request TEXT,
    output TEXT,
    error TEXT,
    executor_id TEXT,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    application_version TEXT,
    application_id TEXT,
    class_name TEXT DEFAULT NULL,
    config_name TEXT DEFAULT NULL,
    recovery_attempts INTEGER DEFAULT 0,
    queue_name TEXT,
    workflow_timeout_ms INTEGER,
    workflow_deadline_epoch_ms INTEGER,
    inputs TEXT,
    started_at_epoch_ms INTEGER,
    deduplication_id TEXT,
    priority INTEGER NOT NULL DEFAULT 0
, queue_partition_key TEXT, forked_from TEXT, "owner_xid" TEXT DEFAULT NULL, "parent_workflow_id" TEXT DEFAULT NULL, "serialization" TEXT DEFAULT NULL, "delay_until_epoch_ms" BIGINT DEFAULT NULL, "was_forked_from" BOOLEAN NOT NULL DEFAULT FALSE, "rate_limited" BOOLEAN NOT NULL DEFAULT FALSE, "completed_at" BIGINT, "attributes" TEXT, "schedule_name" TEXT, "debounce_deadline_epoch_ms" BIGINT DEFAULT NULL, "is_debounced" BOOLEAN NOT NULL DEFAULT FALSE, "application_name" TEXT DEFAULT NULL, "creator_xid" TEXT DEFAULT NULL);
CREATE INDEX submissions_path ON submissions (path);
CREATE INDEX submissions_part_version_id ON submissions (part_version_id);
CREATE INDEX submissions_running ON submissions (worker) WHERE step IS NOT NULL AND due_at IS NULL;
CREATE INDEX submissions_due ON submissions (due_at);
CREATE INDEX submissions_origin ON submissions (origin);
CREATE INDEX submissions_build_id ON submissions (build_id);
CREATE INDEX submissions_sha256 ON submissions (sha256);
CREATE INDEX submissions_state ON submissions (state);
CREATE INDEX submissions_claimed_as ON submissions (claimed_as);
CREATE INDEX submissions_unclaimed ON submissions (id) WHERE claimed_as IS NULL;
CREATE INDEX ix_forgotten_sends_build_id ON forgotten_sends (build_id);
CREATE INDEX ix_events_submission ON events (submission);
CREATE INDEX left_files_submission ON left_files (submission);
CREATE INDEX decisions_device ON decisions (device_id, at);
CREATE INDEX workflow_status_created_at_index ON workflow_status (created_at);
CREATE INDEX idx_workflow_topic ON notifications (destination_uuid, topic);
CREATE INDEX "idx_workflow_status_delayed" ON "workflow_status" ("delay_until_epoch_ms") WHERE status = 'DELAYED';
CREATE INDEX "idx_workflow_status_forked_from" ON "workflow_status" ("forked_from") WHERE "forked_from" IS NOT NULL;
CREATE INDEX "idx_workflow_status_parent_workflow_id" ON "workflow_status" ("parent_workflow_id") WHERE "parent_workflow_id" IS NOT NULL;
CREATE UNIQUE INDEX "uq_workflow_status_dedup_id" ON "workflow_status" ("queue_name", "deduplication_id") WHERE "deduplication_id" IS NOT NULL;
CREATE INDEX "idx_workflow_status_pending" ON "workflow_status" ("created_at") WHERE "status" = 'PENDING';
CREATE INDEX "idx_workflow_status_failed" ON "workflow_status" ("status", "created_at") WHERE "status" IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
CREATE INDEX "idx_workflow_status_rate_limited" ON "workflow_status" ("queue_name", "started_at_epoch_ms") WHERE "rate_limited" = TRUE;
CREATE INDEX "idx_workflow_status_completed_at" ON "workflow_status" ("completed_at") WHERE "completed_at" IS NOT NULL;
CREATE INDEX "idx_workflow_status_started_at" ON "workflow_status" ("started_at_epoch_ms") WHERE "started_at_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_workflow_status_schedule_name" ON "workflow_status" ("schedule_name") WHERE "schedule_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_owner_version"
    ON application_versions ("application_name", "version_name")
    WHERE "application_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_unclaimed_version"
    ON application_versions ("version_name")
    WHERE "application_name" IS NULL;
CREATE INDEX idx_workflow_input_retention
    ON workflow_input (retention_timestamp);
CREATE INDEX idx_workflow_output_retention
    ON workflow_output (retention_timestamp);
CREATE INDEX idx_operation_outputs_retention
    ON operation_outputs (retention_timestamp);
CREATE INDEX "idx_workflow_status_in_flight_v2" ON "workflow_status" ("queue_name", "status", "priority", "created_at", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING');
CREATE INDEX "idx_workflow_status_partition_dequeue_v3" ON "workflow_status" ("queue_name", "status", "queue_partition_key", "priority", "created_at", "workflow_uuid", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING') AND "queue_partition_key" IS NOT NULL;
CREATE INDEX "idx_operation_outputs_completed_at_function_name_v2" ON "operation_outputs" ("completed_at_epoch_ms", "function_name", "application_name");
CREATE INDEX "idx_workflow_status_deadline" ON "workflow_status" ("workflow_deadline_epoch_ms") WHERE "status" IN ('ENQUEUED', 'PENDING', 'DELAYED') AND "workflow_deadline_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_application_versions_timestamp" ON "application_versions" ("version_timestamp" DESC);
CREATE INDEX "idx_application_versions_owner_timestamp" ON "application_versions" ("application_name", "version_timestamp" DESC);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('submissions',9);
COMMIT;