from asyncio import Task

class GroupCoordinator:
    _coordination_task: Task[None]
    def check_errors(self) -> None: ...
