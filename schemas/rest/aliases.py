"""Requests that change aliases."""

import msgspec

from schemas.records import AliasAction, CreateAlias, DeleteAlias, RenameAlias


class CreateAliasRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Let an alias name a collection."""

    alias_name: str
    collection_name: str


class DeleteAliasRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Remove an alias."""

    alias_name: str


class RenameAliasRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Give an alias another name."""

    old_alias_name: str
    new_alias_name: str


class AliasActionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One action: one of the three."""

    create_alias: CreateAliasRequest | None = None
    delete_alias: DeleteAliasRequest | None = None
    rename_alias: RenameAliasRequest | None = None

    def __post_init__(self) -> None:
        if [self.create_alias, self.delete_alias, self.rename_alias].count(None) != 2:
            raise ValueError("Expected one of `create_alias`, `delete_alias` and `rename_alias`")

    def action(self) -> AliasAction:
        """The action as the catalog's records carry it."""
        if self.create_alias is not None:
            return CreateAlias(self.create_alias.alias_name, self.create_alias.collection_name)
        if self.rename_alias is not None:
            return RenameAlias(self.rename_alias.old_alias_name, self.rename_alias.new_alias_name)
        if self.delete_alias is not None:
            return DeleteAlias(self.delete_alias.alias_name)
        raise AssertionError("an action is one of three")


class ChangeAliasesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Alias actions, applied together or not at all."""

    actions: list[AliasActionRequest]
