"""An authorization of a `Client`: the decision, and the reservation to settle or void."""

from __future__ import annotations

from types import TracebackType
from typing import Self, Unpack

from farebox.client.call import perform
from farebox.client.decision import Decision, Held
from farebox.client.delivery import log
from farebox.client.driver import Driver
from farebox.client.errors import FareboxClientError
from farebox.client.forms import CallTold
from farebox.client.gate_calls import settle_call, void_call
from farebox.contract.gate import Admitted, Denied, SettleAnswer


class Reservation(Held):
    """What an admitted request holds, until it is settled, voided or expired."""

    def __init__(self, driver: Driver, admitted: Admitted, told: CallTold) -> None:
        super().__init__(admitted, told)
        self._driver = driver

    def settle(self, **told: Unpack[CallTold]) -> SettleAnswer:
        """Charge what the request did cost, and record it with all that was told.

        Raises:
            FareboxClientError: it failed; the same again settles what became of it.
        """
        call = settle_call(self.reservation_id, self._ending(told))
        return self._driver.run(perform(call, self._driver.caller))

    def void(self) -> None:
        """Give everything back: the request was never served.

        Raises:
            FareboxClientError: it failed; the same again settles what became of it.
        """
        self._ending({})
        call = void_call(self.reservation_id)
        self._driver.run(perform(call, self._driver.caller))


class Authorization(Decision):
    """The gate's answer. `reservation` is None when the request was refused.

    As a `with` it ends the reservation that the block didn't end: it settles what was told when
    the block ends well, and voids when an exception leaves it.
    """

    def __init__(self, driver: Driver, answer: Admitted | Denied, told: CallTold) -> None:
        super().__init__(answer)
        self.reservation = (
            Reservation(driver, answer, told) if isinstance(answer, Admitted) else None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if self.reservation is None or self.reservation.is_ended:
            return
        if kind is None:
            self.reservation.settle()
            return
        try:
            self.reservation.void()
        except FareboxClientError as error:  # the block's own exception says more; it expires soon
            log.warning("a reservation was not voided and will expire: %s", error)
