SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.decisions (
    submission integer NOT NULL,
    stage text NOT NULL,
    at double precision NOT NULL,
    revision text NOT NULL,
    rule text NOT NULL,
    passed text,
    facts text NOT NULL,
    devices text,
    device_id text
);
CREATE TABLE public.events (
    id integer NOT NULL,
    submission integer NOT NULL,
    at double precision NOT NULL,
    event text NOT NULL,
    detail text NOT NULL
);
CREATE SEQUENCE public.events_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.events_id_seq OWNED BY public.events.id;
CREATE TABLE public.forgotten_sends (
    build_id text NOT NULL,
    receipt_id text NOT NULL
);
CREATE TABLE public.left_files (
    path text NOT NULL,
    size bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    ctime_ns bigint NOT NULL,
    submission integer NOT NULL,
    gone_since double precision
);
CREATE TABLE public.marks (
    name text NOT NULL,
    value text
);
CREATE TABLE public.rulebooks (
    revision text NOT NULL,
    text text NOT NULL,
    first_used_at double precision NOT NULL
);
CREATE TABLE public.sends (
    submission integer NOT NULL,
    copy integer NOT NULL,
    token text NOT NULL,
    intent_at double precision NOT NULL,
    deadline double precision NOT NULL,
    times integer NOT NULL,
    lost text,
    receipt_id text,
    settled_at double precision,
    reconciled boolean NOT NULL
);
CREATE TABLE public.set_aside (
    path text NOT NULL,
    accepted boolean NOT NULL
);
CREATE TABLE public.submissions (
    id integer NOT NULL,
    path text NOT NULL,
    state text NOT NULL,
    opened_at double precision NOT NULL,
    claimed_as text,
    left_in_place boolean NOT NULL,
    size bigint,
    sha256 text,
    reason text,
    mesh text,
    preset text,
    intake_rule text,
    part_version_id text,
    slice_job_id text,
    uploaded_at double precision,
    build_id text,
    routing_rule text,
    destination text,
    device text,
    receipt_id text,
    ended_at double precision,
    preset_id text,
    owner_id text,
    folder_id text,
    device_id text,
    due_date text,
    slice_status text,
    hold text,
    released boolean NOT NULL,
    passed text,
    placed_as text,
    step text,
    due_at double precision,
    turn integer NOT NULL,
    tries integer NOT NULL,
    waiting_since double precision,
    reused integer,
    worker text,
    home text,
    dropped_by text,
    copies integer,
    approve_first boolean,
    origin text
);
CREATE SEQUENCE public.submissions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.submissions_id_seq OWNED BY public.submissions.id;
CREATE TABLE public.workers (
    name text NOT NULL,
    home text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    release text NOT NULL,
    since double precision NOT NULL,
    seen_at double precision NOT NULL,
    beat text NOT NULL,
    complaints integer,
    paused_until double precision
);
ALTER TABLE ONLY public.events ALTER COLUMN id SET DEFAULT nextval('public.events_id_seq'::regclass);
ALTER TABLE ONLY public.submissions ALTER COLUMN id SET DEFAULT nextval('public.submissions_id_seq'::regclass);
INSERT INTO public.events VALUES (1, 1, 1795889024.23452, 'claimed', 'processing/1~queued.stl');
INSERT INTO public.events VALUES (2, 2, 1795889024.432945, 'claimed', 'processing/2~cut.stl');
INSERT INTO public.events VALUES (3, 3, 1795889024.4682322, 'claimed', 'processing/3~parked.stl');
INSERT INTO public.events VALUES (4, 3, 1795889024.541638, 'uploaded', 'part version p3, slice job s3');
INSERT INTO public.events VALUES (5, 4, 1795889024.6781256, 'claimed', 'processing/4~asked.stl');
INSERT INTO public.events VALUES (6, 4, 1795889024.7374866, 'uploaded', 'part version p4, slice job s4');
INSERT INTO public.events VALUES (7, 5, 1795889024.79318, 'claimed', 'processing/5~sending.stl');
INSERT INTO public.events VALUES (8, 5, 1795889024.8564675, 'sliced', '');
INSERT INTO public.events VALUES (9, 6, 1795889024.957794, 'claimed', 'processing/6~held.stl');
INSERT INTO public.events VALUES (10, 6, 1795889025.0088837, 'held', 'Under 2 mm long');
INSERT INTO public.events VALUES (11, 7, 1795889025.056448, 'claimed', 'processing/7~device.stl');
INSERT INTO public.events VALUES (12, 7, 1795889025.097828, 'held', 'No printer is free.');
INSERT INTO public.events VALUES (13, 8, 1795889025.1527014, 'claimed', 'processing/8~done.stl');
INSERT INTO public.events VALUES (14, 8, 1795889025.2358384, 'dispatched', 'job_request: receipt r8');
INSERT INTO public.marks VALUES ('name', 'a818a1');
INSERT INTO public.marks VALUES ('share', '4477715e2d8ee77efaad9080ba06d697');
INSERT INTO public.marks VALUES ('rules trouble', '');
INSERT INTO public.rulebooks VALUES ('95896559e795', '# yaml-language-server: $schema=rules.schema.json
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
', 1795889015.3566167);
INSERT INTO public.sends VALUES (5, 1, 'b3c969392c0747728b22e2a0c496d1fc', 1795889024.8649218, 1795889084.8649218, 1, NULL, NULL, NULL, false);
INSERT INTO public.submissions VALUES (1, 'queued.stl', 'claimed', 1795889024.1713643, 'processing/1~queued.stl', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, 'intake', 1795889024.2178988, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.submissions VALUES (2, 'cut.stl', 'claimed', 1795889024.3714242, 'processing/2~cut.stl', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, 'intake', NULL, 0, 0, NULL, NULL, 'old-host-c804c8', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.submissions VALUES (3, 'parked.stl', 'slicing', 1795889024.4579756, 'processing/3~parked.stl', false, NULL, '3333333333333333333333333333333333333333333333333333333333333333', NULL, NULL, NULL, NULL, 'p3', 's3', 1795889024.171337, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, 'poll', 1795890224.171337, 1, 0, 1795889024.171337, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.submissions VALUES (4, 'asked.stl', 'slicing', 1795889024.6449914, 'processing/4~asked.stl', false, NULL, '4444444444444444444444444444444444444444444444444444444444444444', NULL, NULL, NULL, NULL, 'p4', 's4', 1795889024.171337, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, 'poll', NULL, 1, 0, 1795889024.171337, NULL, 'old-host-c804c8', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.submissions VALUES (5, 'sending.stl', 'routed', 1795889024.782906, 'processing/5~sending.stl', false, NULL, '5555555555555555555555555555555555555555555555555555555555555555', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'b5', NULL, 'job_request', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, 'deliver', NULL, 1, 0, NULL, NULL, 'old-host-c804c8', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.submissions VALUES (6, 'held.stl', 'held', 1795889024.9468083, 'processing/6~held.stl', false, NULL, NULL, 'Under 2 mm long', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'rule', false, NULL, NULL, NULL, NULL, 1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.submissions VALUES (7, 'device.stl', 'held', 1795889025.053321, 'processing/7~device.stl', false, NULL, NULL, 'No printer is free.', NULL, NULL, NULL, NULL, NULL, NULL, 'b7', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'device', false, NULL, NULL, 'deliver', 1795889624.171337, 1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.submissions VALUES (8, 'done.stl', 'dispatched', 1795889025.1486714, 'processing/8~done.stl', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'r8', 1795889024.171337, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, 1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.submissions VALUES (9, 'opened.stl', 'claimed', 1795889025.2671542, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, 0, 0, NULL, NULL, 'old-host-c804c8', NULL, NULL, NULL, NULL, NULL);
SELECT pg_catalog.setval('public.events_id_seq', 14, true);
SELECT pg_catalog.setval('public.submissions_id_seq', 9, true);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT decisions_pkey PRIMARY KEY (submission, stage);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.left_files
    ADD CONSTRAINT left_files_pkey PRIMARY KEY (path);
ALTER TABLE ONLY public.marks
    ADD CONSTRAINT marks_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.rulebooks
    ADD CONSTRAINT rulebooks_pkey PRIMARY KEY (revision);
ALTER TABLE ONLY public.sends
    ADD CONSTRAINT sends_pkey PRIMARY KEY (submission, copy);
ALTER TABLE ONLY public.set_aside
    ADD CONSTRAINT set_aside_pkey PRIMARY KEY (path);
ALTER TABLE ONLY public.submissions
    ADD CONSTRAINT submissions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (name);
CREATE INDEX decisions_device ON public.decisions USING btree (device_id, at);
CREATE INDEX ix_events_submission ON public.events USING btree (submission);
CREATE INDEX ix_forgotten_sends_build_id ON public.forgotten_sends USING btree (build_id);
CREATE INDEX left_files_submission ON public.left_files USING btree (submission);
CREATE INDEX submissions_build_id ON public.submissions USING btree (build_id);
CREATE INDEX submissions_claimed_as ON public.submissions USING btree (claimed_as);
CREATE INDEX submissions_due ON public.submissions USING btree (due_at);
CREATE INDEX submissions_origin ON public.submissions USING btree (origin);
CREATE INDEX submissions_part_version_id ON public.submissions USING btree (part_version_id);
CREATE INDEX submissions_path ON public.submissions USING btree (path);
CREATE INDEX submissions_running ON public.submissions USING btree (worker) WHERE ((step IS NOT NULL) AND (due_at IS NULL));
CREATE INDEX submissions_sha256 ON public.submissions USING btree (sha256);
CREATE INDEX submissions_state ON public.submissions USING btree (state);
CREATE INDEX submissions_unclaimed ON public.submissions USING btree (id) WHERE (claimed_as IS NULL);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT decisions_submission_fkey FOREIGN KEY (submission) REFERENCES public.submissions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_submission_fkey FOREIGN KEY (submission) REFERENCES public.submissions(id);
ALTER TABLE ONLY public.left_files
    ADD CONSTRAINT left_files_submission_fkey FOREIGN KEY (submission) REFERENCES public.submissions(id);
ALTER TABLE ONLY public.sends
    ADD CONSTRAINT sends_submission_fkey FOREIGN KEY (submission) REFERENCES public.submissions(id);
