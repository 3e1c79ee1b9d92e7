import typer

from deploy.simulator.main import run

if __name__ == "__main__":
    typer.run(run)
