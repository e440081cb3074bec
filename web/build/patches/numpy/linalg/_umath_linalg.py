
def __getattr__(name):
    from numpy.linalg._library import _umath_linalg
    return getattr(_umath_linalg, name)
