import { Viewer } from './viewer.jsx';

export default function Page() {
  return (
    <main>
      <h1>CT, by Next</h1>
      <Viewer />
    </main>
  );
}
