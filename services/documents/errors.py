"""The refusals that only documents knows.

Problem
├── TooSlow                408 upload_too_slow
└── FileTypeNotAccepted    415 file_type_not_accepted
"""

from shared.errors import Problem


class TooSlow(Problem):
    status, code, title = 408, "upload_too_slow", "The upload took too long"


class FileTypeNotAccepted(Problem):
    status, code, title = 415, "file_type_not_accepted", "Only PDF, JPEG, PNG, WebP and HEIC files are accepted"
