"""``python -m ganvas`` is ``ganvas``, which is also how ``torchrun`` starts it."""

from ganvas.cli.main import main

main()
