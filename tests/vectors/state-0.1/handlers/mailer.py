def handle(given: object, _context: object) -> object:
    return given
