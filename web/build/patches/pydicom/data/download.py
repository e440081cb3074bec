
class NoHashFound(Exception): pass
def get_url_map(): return {}
def get_data_dir(): return ""
def data_path_with_download(path): raise FileNotFoundError(path)
calculate_file_hash = get_cached_filehash = data_path_with_download
