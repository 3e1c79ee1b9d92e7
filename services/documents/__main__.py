"""`python -m services.documents`."""

from services.documents.main import main

if __name__ == "__main__":
    main()
