"""Mutants that mean the same as the code, as `file: before -> after`, each with its reason beside it."""

EQUIVALENT = frozenset(
    {
        # A power of two that no wait reaches: it only has to stay below the largest float.
        "eiger/retry.py: 32 -> 33 in return float(min(self.first_wait_seconds * 2.0 ** min(attempt - 1, 32), "
        "self.longest_wait_seconds))",
        # Where all days are holidays, any end of the search is as good.
        "routing/due.py: 2 -> 3 in for _ in range(2 * MAX_DAYS_AHEAD):",
        # The same place in the key of every printer.
        "routing/choose_device.py: 0.0 -> 1.0 in return (rank[0] if by_queue else 0.0, count, rank)",
        "routing/choose_device.py: 0 -> 1 in return (next(place, 0), 0, *named)",
        "routing/choose_device.py: 0 -> 1 in return (-math.inf if last is None else last.timestamp(), "
        "0, *named)",
        # Where the one call is missing or refuses its flag, the reservation does the same.
        "intake/fs.py: sys.platform == 'darwin' -> sys.platform != 'darwin'",
        # Where the file is counts, whatever the call answers.
        "intake/fs.py: 0 -> 1 in if call(source.fd, os.fsencode(name), target.fd, os.fsencode(new_name), "
        "flag) == 0:",
        # The reservation is empty, and the file takes its place at once, with its own rights.
        "intake/fs.py: 384 -> 385 in fd = os.open(target.at(new_name), flags, 384, dir_fd=target.fd)",
        # To give a folder the group that it has changes nothing; where no `chown` is, all groups are 0.
        "intake/fs.py: hasattr(os, 'chown') and seen.st_gid != above.st_gid"
        " -> hasattr(os, 'chown') or seen.st_gid != above.st_gid",
        "intake/fs.py: hasattr(os, 'chown') and seen.st_gid != above.st_gid -> hasattr(os, 'chown')",
        "intake/fs.py: hasattr(os, 'chown') and seen.st_gid != above.st_gid -> seen.st_gid != above.st_gid",
        # Where the products are mixed, and by how much: any free rows and any such shifts do.
        "mesh/watertight.py: 1 -> 2 in spare = scratch[1::3]",
        "mesh/watertight.py: 32 -> 33 in np.right_shift(corners, np.uint64(32), out=spare)",
        "mesh/watertight.py: 29 -> 30 in np.right_shift(corners, np.uint64(29), out=spare)",
        # The size of a table, and how much of it is used, decide how soon all is found, not what.
        "mesh/watertight.py: keys.size > _FEW -> keys.size >= _FEW",
        "mesh/watertight.py: least + 1 -> least - 1",
        "mesh/watertight.py: 1 -> 2 in bits = max(least, min(least + 1, _MAX_TABLE_BITS))",
        "mesh/watertight.py: 1 -> 2 in table = np.empty(1 << bits, np.uint32)",
        "mesh/watertight.py: 64 -> 65 in return (keys >> np.uint64(64 - bits)).view(np.int64)",
        # A row that waits for a build has its time: the upload or the order to attach wrote it.
        "pipeline/find_build.py: submission.waiting_since or now() -> submission.waiting_since",
        # What goes to a printer has its printer.
        "pipeline/reconcile.py: submission.device_id or '' -> submission.device_id",
        # At the very microsecond of the limit.
        "pipeline/reconcile.py: age > context.retry_schedule.print_now_seconds"
        " -> age >= context.retry_schedule.print_now_seconds",
        # What is sent has its build, and what goes to a printer has its printer.
        "pipeline/reconcile.py: submission.build_id or '' -> submission.build_id",
        "pipeline/dispatch.py: submission.build_id or '' -> submission.build_id",
        "pipeline/dispatch.py: submission.device_id or '' -> submission.device_id",
        # A part of which a build is searched or attached was uploaded: it has its part version.
        "pipeline/find_build.py: submission.part_version_id or '' -> submission.part_version_id",
        "pipeline/attached_builds.py: submission.part_version_id or '' -> submission.part_version_id",
        # At the very microsecond of a limit or deadline.
        "pipeline/find_build.py: waited >= context.retry_schedule.build_wait_seconds"
        " -> waited > context.retry_schedule.build_wait_seconds",
        "pipeline/local_queue.py: self._clock() >= until -> self._clock() > until",
        "ledger/sends.py: row['deadline'] > now -> row['deadline'] >= now",
        "ledger/sends.py: deadline > longest -> deadline >= longest",
        # One time of 1970 is as long ago as another.
        "ledger/sends.py: 0.0 -> 1.0 in send_update('times', 'deadline').execute(connection, "
        "number=submission.id, copy=copy, token=intent.token, new_times=intent.times - 1, new_deadline=0.0)",
        # A power of two that no wait reaches.
        "pipeline/retry.py: 16 -> 17 in return float(min(FIRST_BACKOFF_SECONDS * 2.0 ** min(tries, 16), "
        "MAX_BACKOFF_SECONDS))",
        # The queue wakes a tick (0.2 s) later, looks at the clock, and goes on.
        "pipeline/local_queue.py: until - self._clock() -> until + self._clock()",
    }
)
