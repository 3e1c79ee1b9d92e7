"""`python -m services.notifications`."""

from services.notifications.main import main

if __name__ == "__main__":
    main()
