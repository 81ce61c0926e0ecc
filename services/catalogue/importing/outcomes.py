"""The log of an import's outcomes, to which all its parts report."""

from collections.abc import Callable

from services.catalogue.importing.description import Described
from services.catalogue.importing.report import Fate, Outcome, RejectedFile, Tally
from services.catalogue.sources.records.rows import RejectedRow, SourceRow


class OutcomeLog:
    """Counts outcomes in `tally`, writes rejected rows to a file, and passes every outcome on."""

    def __init__(self, rejected_file: RejectedFile, on_outcome: Callable[[Outcome], None]) -> None:
        self.tally = Tally()
        self._rejected_file = rejected_file
        self._on_outcome = on_outcome

    def done(self, row: SourceRow, fate: Fate) -> None:
        """Report a row that was not rejected."""
        self._on_outcome(Outcome(row.line, row.key, fate))

    def rejected(self, row: RejectedRow) -> None:
        """Report a row that the source itself rejects.

        Raises:
            RejectedFileError: the file cannot be written.
        """
        self._rejected_file.add(row)
        self.tally.rejected += 1
        self._on_outcome(Outcome(row.line, row.key, "rejected", row.reason))

    def product_rejected(self, item: Described, reason: str) -> None:
        """Report a row that cannot become a product.

        Raises:
            RejectedFileError: the file cannot be written.
        """
        self.rejected(RejectedRow(item.row.line, item.row.key, reason))

    def image_rejected(self, item: Described, name: str, reason: str) -> None:
        """Report an additional image that its product has to do without.

        Raises:
            RejectedFileError: the file cannot be written.
        """
        row = RejectedRow(item.row.line, item.row.key, reason, name)
        self._rejected_file.add(row)
        self.tally.images_rejected += 1
        self._on_outcome(Outcome(row.line, row.key, "image_rejected", row.reason, row.image))
