"""`python -m stillhere` is `stillhere`."""

from stillhere.cli.main import main

if __name__ == "__main__":
    main()
