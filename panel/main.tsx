import { render } from 'preact';
import { App } from './app.tsx';
import { followLinks } from './place/place.ts';
import { applyTheme } from './place/theme.ts';
import './styles/base.css';
import './styles/board.css';
import './styles/lists.css';

applyTheme();
followLinks();
render(<App />, document.body);
