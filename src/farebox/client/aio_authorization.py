"""An authorization of an `AsyncClient`: the decision, and the reservation to settle or void."""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType
from typing import Unpack

from farebox.client.aio_driver import AsyncDriver
from farebox.client.call import Call, perform
from farebox.client.decision import Decision, Held
from farebox.client.delivery import log
from farebox.client.errors import FareboxClientError
from farebox.client.forms import CallTold
from farebox.client.gate_calls import settle_call, void_call
from farebox.contract.gate import Admitted, Denied, SettleAnswer


class AsyncReservation(Held):
    """What an admitted request holds, until it is settled, voided or expired."""

    def __init__(self, driver: AsyncDriver, admitted: Admitted, told: CallTold) -> None:
        super().__init__(admitted, told)
        self._driver = driver

    async def settle(self, **told: Unpack[CallTold]) -> SettleAnswer:
        """Charge what the request did cost, and record it with all that was told.

        Raises:
            FareboxClientError: it failed; the same again settles what became of it.
        """
        call = settle_call(self.reservation_id, self._ending(told))
        return await self._driver.run(perform(call, self._driver.caller))

    async def void(self) -> None:
        """Give everything back: the request was never served.

        Raises:
            FareboxClientError: it failed; the same again settles what became of it.
        """
        self._ending({})
        call = void_call(self.reservation_id)
        await self._driver.run(perform(call, self._driver.caller))


class AsyncAuthorization(Decision):
    """The gate's answer. `reservation` is None when the request was refused."""

    def __init__(self, driver: AsyncDriver, answer: Admitted | Denied, told: CallTold) -> None:
        super().__init__(answer)
        self.reservation = (
            AsyncReservation(driver, answer, told) if isinstance(answer, Admitted) else None
        )

    async def end(self, kind: type[BaseException] | None) -> None:
        """End the reservation as the end of a `with` does, if the block didn't."""
        if self.reservation is None or self.reservation.is_ended:
            return
        if kind is None:
            await self.reservation.settle()
            return
        try:
            await self.reservation.void()
        except FareboxClientError as error:  # the block's own exception says more; it expires soon
            log.warning("a reservation was not voided and will expire: %s", error)


class Authorizing:
    """An authorization on its way: `await` it, or enter it with `async with`.

    `async with` ends the reservation that the block didn't end: it settles what was told when the
    block ends well, and voids when an exception leaves it.
    """

    def __init__(
        self, driver: AsyncDriver, gate: AsyncDriver, call: Call[Admitted | Denied], told: CallTold
    ) -> None:
        self._driver = driver
        self._gate = gate
        self._call = call
        self._told = told
        self._entered: AsyncAuthorization | None = None

    def __await__(self) -> Generator[None, None, AsyncAuthorization]:
        return self._decided().__await__()

    async def __aenter__(self) -> AsyncAuthorization:
        self._entered = await self._decided()
        return self._entered

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        assert self._entered is not None
        await self._entered.end(kind)

    async def _decided(self) -> AsyncAuthorization:
        answer = await self._gate.run(perform(self._call, self._gate.caller))
        return AsyncAuthorization(self._driver, answer, self._told)
