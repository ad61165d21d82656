from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Modality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODALITY_UNSPECIFIED: _ClassVar[Modality]
    MODALITY_TEXT: _ClassVar[Modality]
    MODALITY_IMAGE: _ClassVar[Modality]

class Metric(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    METRIC_UNSPECIFIED: _ClassVar[Metric]
    METRIC_COSINE: _ClassVar[Metric]
    METRIC_EUCLIDEAN: _ClassVar[Metric]
    METRIC_HELLINGER: _ClassVar[Metric]

class OptionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPTION_TYPE_UNSPECIFIED: _ClassVar[OptionType]
    OPTION_TYPE_STRING: _ClassVar[OptionType]
    OPTION_TYPE_INTEGER: _ClassVar[OptionType]
    OPTION_TYPE_NUMBER: _ClassVar[OptionType]
    OPTION_TYPE_BOOLEAN: _ClassVar[OptionType]
    OPTION_TYPE_STRING_LIST: _ClassVar[OptionType]
    OPTION_TYPE_INTEGER_LIST: _ClassVar[OptionType]
    OPTION_TYPE_ANY: _ClassVar[OptionType]

class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEVERITY_UNSPECIFIED: _ClassVar[Severity]
    SEVERITY_WARNING: _ClassVar[Severity]
    SEVERITY_ERROR: _ClassVar[Severity]

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_OK: _ClassVar[Status]
    STATUS_EMPTY: _ClassVar[Status]
    STATUS_OOV: _ClassVar[Status]
    STATUS_TRUNCATED: _ClassVar[Status]
    STATUS_FAILED: _ClassVar[Status]
MODALITY_UNSPECIFIED: Modality
MODALITY_TEXT: Modality
MODALITY_IMAGE: Modality
METRIC_UNSPECIFIED: Metric
METRIC_COSINE: Metric
METRIC_EUCLIDEAN: Metric
METRIC_HELLINGER: Metric
OPTION_TYPE_UNSPECIFIED: OptionType
OPTION_TYPE_STRING: OptionType
OPTION_TYPE_INTEGER: OptionType
OPTION_TYPE_NUMBER: OptionType
OPTION_TYPE_BOOLEAN: OptionType
OPTION_TYPE_STRING_LIST: OptionType
OPTION_TYPE_INTEGER_LIST: OptionType
OPTION_TYPE_ANY: OptionType
SEVERITY_UNSPECIFIED: Severity
SEVERITY_WARNING: Severity
SEVERITY_ERROR: Severity
STATUS_OK: Status
STATUS_EMPTY: Status
STATUS_OOV: Status
STATUS_TRUNCATED: Status
STATUS_FAILED: Status

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("name", "version", "summary", "modalities", "options", "network", "environment")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    MODALITIES_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    summary: str
    modalities: _containers.RepeatedScalarFieldContainer[Modality]
    options: _containers.RepeatedCompositeFieldContainer[Option]
    network: bool
    environment: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., summary: _Optional[str] = ..., modalities: _Optional[_Iterable[_Union[Modality, str]]] = ..., options: _Optional[_Iterable[_Union[Option, _Mapping]]] = ..., network: _Optional[bool] = ..., environment: _Optional[_Iterable[str]] = ...) -> None: ...

class Option(_message.Message):
    __slots__ = ("name", "type", "default_json", "help", "choices", "required", "tuning")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_JSON_FIELD_NUMBER: _ClassVar[int]
    HELP_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    TUNING_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: OptionType
    default_json: str
    help: str
    choices: _containers.RepeatedScalarFieldContainer[str]
    required: bool
    tuning: bool
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[OptionType, str]] = ..., default_json: _Optional[str] = ..., help: _Optional[str] = ..., choices: _Optional[_Iterable[str]] = ..., required: _Optional[bool] = ..., tuning: _Optional[bool] = ...) -> None: ...

class ConfigureRequest(_message.Message):
    __slots__ = ("options_json", "seed", "threads", "cache_dir", "models_dir", "base_dir")
    OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    CACHE_DIR_FIELD_NUMBER: _ClassVar[int]
    MODELS_DIR_FIELD_NUMBER: _ClassVar[int]
    BASE_DIR_FIELD_NUMBER: _ClassVar[int]
    options_json: bytes
    seed: int
    threads: int
    cache_dir: str
    models_dir: str
    base_dir: str
    def __init__(self, options_json: _Optional[bytes] = ..., seed: _Optional[int] = ..., threads: _Optional[int] = ..., cache_dir: _Optional[str] = ..., models_dir: _Optional[str] = ..., base_dir: _Optional[str] = ...) -> None: ...

class ConfigureResponse(_message.Message):
    __slots__ = ("info", "diagnostics")
    INFO_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    info: Info
    diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    def __init__(self, info: _Optional[_Union[Info, _Mapping]] = ..., diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class Info(_message.Message):
    __slots__ = ("dimension", "sparse", "metric", "unit_length", "needs_fit", "words", "max_tokens", "model", "model_sha256", "device", "batch_invariant")
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    UNIT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIT_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_SHA256_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    BATCH_INVARIANT_FIELD_NUMBER: _ClassVar[int]
    dimension: int
    sparse: bool
    metric: Metric
    unit_length: bool
    needs_fit: bool
    words: bool
    max_tokens: int
    model: str
    model_sha256: str
    device: str
    batch_invariant: bool
    def __init__(self, dimension: _Optional[int] = ..., sparse: _Optional[bool] = ..., metric: _Optional[_Union[Metric, str]] = ..., unit_length: _Optional[bool] = ..., needs_fit: _Optional[bool] = ..., words: _Optional[bool] = ..., max_tokens: _Optional[int] = ..., model: _Optional[str] = ..., model_sha256: _Optional[str] = ..., device: _Optional[str] = ..., batch_invariant: _Optional[bool] = ...) -> None: ...

class Diagnostic(_message.Message):
    __slots__ = ("severity", "summary", "detail", "option")
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    OPTION_FIELD_NUMBER: _ClassVar[int]
    severity: Severity
    summary: str
    detail: str
    option: str
    def __init__(self, severity: _Optional[_Union[Severity, str]] = ..., summary: _Optional[str] = ..., detail: _Optional[str] = ..., option: _Optional[str] = ...) -> None: ...

class Row(_message.Message):
    __slots__ = ("text", "images")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    text: str
    images: _containers.RepeatedCompositeFieldContainer[Image]
    def __init__(self, text: _Optional[str] = ..., images: _Optional[_Iterable[_Union[Image, _Mapping]]] = ...) -> None: ...

class Image(_message.Message):
    __slots__ = ("path", "data")
    PATH_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    path: str
    data: bytes
    def __init__(self, path: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class FitRequest(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    def __init__(self, rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ...) -> None: ...

class FitResponse(_message.Message):
    __slots__ = ("info", "diagnostics")
    INFO_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    info: Info
    diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    def __init__(self, info: _Optional[_Union[Info, _Mapping]] = ..., diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class EmbedRequest(_message.Message):
    __slots__ = ("sequence", "rows", "words")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    words: bool
    def __init__(self, sequence: _Optional[int] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ..., words: _Optional[bool] = ...) -> None: ...

class EmbedResponse(_message.Message):
    __slots__ = ("sequence", "vectors", "progress")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    vectors: Vectors
    progress: Progress
    def __init__(self, sequence: _Optional[int] = ..., vectors: _Optional[_Union[Vectors, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("rows_done",)
    ROWS_DONE_FIELD_NUMBER: _ClassVar[int]
    rows_done: int
    def __init__(self, rows_done: _Optional[int] = ...) -> None: ...

class Vectors(_message.Message):
    __slots__ = ("dense", "sparse", "statuses")
    DENSE_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    dense: Dense
    sparse: Sparse
    statuses: _containers.RepeatedCompositeFieldContainer[RowStatus]
    def __init__(self, dense: _Optional[_Union[Dense, _Mapping]] = ..., sparse: _Optional[_Union[Sparse, _Mapping]] = ..., statuses: _Optional[_Iterable[_Union[RowStatus, _Mapping]]] = ...) -> None: ...

class Dense(_message.Message):
    __slots__ = ("rows", "columns", "data")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    rows: int
    columns: int
    data: bytes
    def __init__(self, rows: _Optional[int] = ..., columns: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class Sparse(_message.Message):
    __slots__ = ("rows", "columns", "indptr", "indices", "data")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    INDPTR_FIELD_NUMBER: _ClassVar[int]
    INDICES_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    rows: int
    columns: int
    indptr: bytes
    indices: bytes
    data: bytes
    def __init__(self, rows: _Optional[int] = ..., columns: _Optional[int] = ..., indptr: _Optional[bytes] = ..., indices: _Optional[bytes] = ..., data: _Optional[bytes] = ...) -> None: ...

class RowStatus(_message.Message):
    __slots__ = ("row", "status", "tokens_lost", "reason")
    ROW_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_LOST_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    row: int
    status: Status
    tokens_lost: int
    reason: str
    def __init__(self, row: _Optional[int] = ..., status: _Optional[_Union[Status, str]] = ..., tokens_lost: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class SaveStateRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StateChunk(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class LoadStateResponse(_message.Message):
    __slots__ = ("info",)
    INFO_FIELD_NUMBER: _ClassVar[int]
    info: Info
    def __init__(self, info: _Optional[_Union[Info, _Mapping]] = ...) -> None: ...
