"""`python -m services.auth`."""

from services.auth.main import main

main()
