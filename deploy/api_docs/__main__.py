"""`python -m deploy.api_docs`: write both documents anew."""

from deploy.api_docs.documents import DOCUMENTS

for path, text in DOCUMENTS.items():
    path.write_text(text(), encoding="utf-8")
