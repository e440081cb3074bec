
class Deferred(dict):
    def __missing__(self, creator):
        from pydicom._private_entries import private_dictionaries as entries
        return dict.setdefault(self, creator, entries[creator])
    def setdefault(self, creator, default):
        try:
            return self[creator]
        except KeyError:
            return dict.setdefault(self, creator, default)
private_dictionaries = Deferred()
