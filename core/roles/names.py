"""The names of the product's roles on a server."""

from dataclasses import dataclass

PUBLIC = "PUBLIC"


@dataclass(frozen=True)
class Names:
    """The names of the four roles."""

    owner: str
    web: str
    worker: str
    report: str

    @classmethod
    def with_prefix(cls, prefix: str, *, owner: str | None = None) -> "Names":
        """Return the names that begin with a prefix; `owner` is another name for the owner, if it has one."""
        return cls(owner or f"{prefix}_owner", f"{prefix}_web", f"{prefix}_worker", f"{prefix}_report")

    def all(self) -> tuple[str, str, str, str]:
        return (self.owner, self.web, self.worker, self.report)

    def others(self) -> tuple[str, str, str]:
        """Return the roles that own nothing."""
        return (self.web, self.worker, self.report)
