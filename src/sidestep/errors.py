"""The one exception that people are meant to read: bad input, told in a sentence, without a traceback."""


class UserError(Exception):
    """Bad input or a missing resource; its text is one sentence that says what, where and what is allowed.

    The command line prints the text to standard error and exits with code 2.
    """
