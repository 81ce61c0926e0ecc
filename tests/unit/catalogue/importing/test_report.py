"""The counts of an import."""

from services.catalogue.importing.report import MAX_LEFT_OUT, OTHER_FIELDS, Tally


def test_names_of_fields_that_differ_in_every_row_are_counted_together_after_a_bound() -> None:
    tally = Tally()
    for number in range(5000):
        tally.leave_out(["description", f"field{number}"])
    assert len(tally.left_out) == MAX_LEFT_OUT + 1
    assert tally.left_out["description"] == 5000
    assert tally.left_out.total() == 10_000
    assert tally.left_out[OTHER_FIELDS] == 5000 - (MAX_LEFT_OUT - 1)
