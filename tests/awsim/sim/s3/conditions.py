"""If-Match and its kin, on reads, writes, copies and deletes.

Source: S3 User Guide, "Add preconditions to S3 operations with conditional requests"; RFC 9110, section 13.2.2.
"""

from .errors import S3Error


def fits(wanted, tag):
    return any(one.strip() in ("*", tag, f'"{tag}"') for one in wanted.split(","))


def _failed(header):
    return S3Error("PreconditionFailed", Condition=header)


def check_read(given, version):
    """412 or 304, in the order of precedence that HTTP gives them."""
    seconds = int(version.modified)
    if "IfMatch" in given:
        if not fits(given["IfMatch"], version.etag):
            raise _failed("If-Match")
    elif "IfUnmodifiedSince" in given and seconds > given["IfUnmodifiedSince"]:
        raise _failed("If-Unmodified-Since")
    if "IfNoneMatch" in given:
        if fits(given["IfNoneMatch"], version.etag):
            raise S3Error("NotModified", headers={"ETag": f'"{version.etag}"'})
    elif "IfModifiedSince" in given and seconds <= given["IfModifiedSince"]:
        raise S3Error("NotModified", headers={"ETag": f'"{version.etag}"'})


def check_source(given, version):
    """Of a copy: x-amz-copy-source-if-*, all of them 412."""
    seconds = int(version.modified)
    if "CopySourceIfMatch" in given:
        if not fits(given["CopySourceIfMatch"], version.etag):
            raise _failed("x-amz-copy-source-If-Match")
    elif "CopySourceIfUnmodifiedSince" in given and seconds > given["CopySourceIfUnmodifiedSince"]:
        raise _failed("x-amz-copy-source-If-Unmodified-Since")
    if "CopySourceIfNoneMatch" in given:
        if fits(given["CopySourceIfNoneMatch"], version.etag):
            raise _failed("x-amz-copy-source-If-None-Match")
    elif "CopySourceIfModifiedSince" in given and seconds <= given["CopySourceIfModifiedSince"]:
        raise _failed("x-amz-copy-source-If-Modified-Since")


def check_write(given, current):
    """`current`: what a GET would show now. If-None-Match is taken with * only."""
    if "IfNoneMatch" in given:
        if given["IfNoneMatch"] != "*" or "IfMatch" in given:
            raise S3Error("NotImplemented", Header="If-None-Match")
        if current:
            raise _failed("If-None-Match")
    elif "IfMatch" in given:
        if current is None:
            raise S3Error("NoSuchKey", Key=given["Key"])
        if not fits(given["IfMatch"], current.etag):
            raise _failed("If-Match")


def check_delete(wanted, current):
    """A delete's If-Match is about the current version: User Guide, "How to perform conditional deletes"."""
    if wanted is not None and (current is None or not fits(wanted, current.etag)):
        raise _failed("If-Match")
