import pyloader from 'pyloader';
import { show } from '../show.js';

const workers = new URLSearchParams(location.search).get('workers');
if (workers) pyloader.init({ workers: Number(workers) }).catch(() => {}); // the load fails as it did
show(pyloader, document.querySelector('canvas'));
