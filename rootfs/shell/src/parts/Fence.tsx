// A fault in one window stays in that window.
import { Component, type ReactNode } from "react";
import { Failed } from "./States.tsx";

interface State {
  broken: boolean;
}

export class Fence extends Component<{ children: ReactNode }, State> {
  override state: State = { broken: false };

  static getDerivedStateFromError(): State {
    return { broken: true };
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return <Failed message="This window has met a fault of ours. Its content on your computer is safe." onRetry={() => this.setState({ broken: false })} />;
  }
}
