from services.claims.main import main

main()
