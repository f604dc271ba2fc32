"""S3: objects with their versions, locks, uploads, lifecycle and replication; the rest of a bucket is moto's."""

from . import api
from .api import path_style

__all__ = ["answer", "path_style"]


def answer(moto, call, request):
    """One call, also one that another service makes by itself; `moto` leads to the objects."""
    return api.answer(moto.s3, call, request)
