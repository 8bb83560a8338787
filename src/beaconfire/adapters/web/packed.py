"""The built page's files, sent as they were packed when the package was built."""

import asyncio
import os
from typing import Final

from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PACKED: Final = ".gz"


class PackedFiles(StaticFiles):
    """Static files; where `NAME.gz` stands beside `NAME` and the client takes gzip, that is sent."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, packed if it can be; raises as `StaticFiles` does."""
        answer = await super().get_response(path, scope)
        headers = dict(scope["headers"])
        takes = b"gzip" in headers.get(b"accept-encoding", b"")
        if not isinstance(answer, FileResponse):
            return answer
        packed = f"{answer.path}{PACKED}"
        if not takes or not await asyncio.to_thread(os.path.isfile, packed):
            return answer
        sent = FileResponse(packed, media_type=answer.media_type)
        sent.headers["content-encoding"] = "gzip"
        sent.headers["vary"] = "accept-encoding"
        return sent
