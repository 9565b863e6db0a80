"""`python -m DiffuFuseMedLib.engine.server --folder FOLDER`: the process that computes for one session."""

from .server import main

if __name__ == "__main__":
    main()
