"""Calls about parts: uploading, slicing, part versions."""

from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from workflow.eiger import operations as the
from workflow.eiger.calls import Calls
from workflow.eiger.download import download
from workflow.eiger.models import Part, PartVersion, Preset, Presets, SignedUrl, SliceStatus, Upload
from workflow.eiger.protocol import read
from workflow.eiger.reply import Reply
from workflow.eiger.transport import Request
from workflow.eiger.upload import Progress, StlUpload


class PartCalls(Calls):
    """The six operations on parts and part versions, and the download that one of them opens."""

    def upload_stl(
        self,
        stl: BinaryIO,
        filename: str,
        *,
        settings_preset_id: str | None = None,
        user_id: str | None = None,
        folder_id: str | None = None,
        on_progress: Progress | None = None,
    ) -> Upload:
        """Upload a file from where it stands to its end, as it is read; slicing begins by itself.

        Without a preset Eiger takes its own choice, without a user the owner of the organization,
        without a folder the library. Raises CloudError, OSError from the file, and EOFError when the
        file shrinks meanwhile.
        """
        fields = {"settingsPresetId": settings_preset_id, "userId": user_id, "folderId": folder_id}
        chosen = {name: value for name, value in fields.items() if value is not None}
        upload = StlUpload(stl, filename, chosen, on_progress)

        def understand(reply: Reply, now: datetime) -> Upload:
            made = read(the.UPLOAD_STL, reply, Upload, now)
            return made.model_copy(update={"server_time": reply.date})

        return self._exchange.call(Request(the.UPLOAD_STL, the.UPLOAD_STL.place(), upload=upload), understand)

    def get_slice_status(self, slice_job_id: str) -> SliceStatus:
        """Give how far a slice job is."""
        return self._ask(the.GET_SLICE_STATUS, SliceStatus, slice_job_id=slice_job_id)

    def get_org_settings_presets(self) -> tuple[Preset, ...]:
        """Give all settings presets of the organization."""
        return self._ask(the.GET_ORG_SETTINGS_PRESETS, Presets).root

    def read_part(self, part_id: str) -> Part:
        """Give a part with the ids of its versions."""
        return self._ask(the.READ_PART, Part, part_id=part_id)

    def read_part_version(self, part_version_id: str) -> PartVersion:
        """Give a version of a part: its title, and how Eiger took its unit and scale."""
        return self._ask(the.READ_PART_VERSION, PartVersion, part_version_id=part_version_id)

    def download_part_version(
        self, part_version_id: str, target: Path, on_progress: Progress | None = None
    ) -> int:
        """Write the STL of a part version to `target`; gives its bytes. Nothing is ever replaced.

        The file stands under a name of its own until it is whole. Raises CloudError, OSError, and
        FileExistsError when `target` exists.
        """
        return download(self._exchange, part_version_id, target, on_progress)

    def read_signed_url(self, part_version_id: str) -> SignedUrl:
        """Give a link to the STL of a part version, good for about 30 seconds."""
        return self._ask(the.READ_SIGNED_URL, SignedUrl, part_version_id=part_version_id)
