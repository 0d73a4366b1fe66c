"""What is read out of a docstring."""

from aios.sdk.docstring import read_docstring


def test_first_paragraph_is_joined_to_one_line() -> None:
    said = read_docstring("Look up\n    the weather.\n\n    Slowly.\n    ")
    assert said.summary == "Look up the weather."


def test_argument_lines_go_on_over_deeper_lines_and_end_at_the_next_section() -> None:
    said = read_docstring(
        """Look it up.

        Args:
            city (str, optional): where: a name,
                or a number

            days: how many
        Returns:
            nothing: at all
        """
    )
    assert said.arguments == {"city": "where: a name, or a number", "days": "how many"}


def test_a_docstring_that_is_missing_or_starts_with_a_section_has_no_summary() -> None:
    assert read_docstring(None).summary == ""
    assert read_docstring("Args:\n    x: y").summary == ""
