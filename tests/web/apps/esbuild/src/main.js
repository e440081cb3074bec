import pyloader from 'pyloader';
import { show } from '../../show.js';

show(pyloader, document.querySelector('canvas'));
