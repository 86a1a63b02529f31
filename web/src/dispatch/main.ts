import '../styles/index.css';
import { createFrame } from '../ui/frame';

const root = document.getElementById('app');
if (root) void createFrame(root, 'dispatch', 'dispatch.title');
