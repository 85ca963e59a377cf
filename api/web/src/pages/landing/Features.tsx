// What one gets. Only what is true of the platform today.
import { Fingerprint, Globe, type LucideIcon, MonitorSmartphone, ShieldCheck, Sparkles, SquareTerminal } from "lucide-react";
import styles from "./landing.module.css";

const FEATURES: readonly (readonly [LucideIcon, string, string])[] = [
  [Sparkles, "An AI that builds", "Say what you need. It makes the app, opens it on your desktop, and keeps it as a file of yours."],
  [SquareTerminal, "A real computer", "Linux with a terminal, git and Python. It is yours alone, with memory and processor set aside for it."],
  [MonitorSmartphone, "A desktop in the browser", "Windows, files and a terminal, on the phone in your hand and the laptop on your desk. Nothing to install."],
  [Globe, "An address of its own", "Your handle is its name on the web. It stays yours for good."],
  [Fingerprint, "No passwords", "A passkey on your device opens it. There is nothing to remember, and nothing to steal from us."],
  [ShieldCheck, "Walls that hold", "Each computer has files, users, a network and limits of its own. None can reach another."],
];

export function Features() {
  return (
    <section className={styles.section} aria-labelledby="features">
      <h2 id="features">What you get</h2>
      <ul className={styles.features}>
        {FEATURES.map(([Icon, name, text]) => (
          <li key={name}>
            <Icon size={24} strokeWidth={1.5} aria-hidden />
            <h3>{name}</h3>
            <p>{text}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
