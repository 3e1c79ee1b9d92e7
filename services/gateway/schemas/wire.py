"""What every answer is read with."""

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """Unknown fields are ignored: services may add."""

    model_config = ConfigDict(frozen=True, extra="ignore")
