// A fault in one window, or code of it that could not be fetched, stays in that window. Only a fresh page fetches code again.
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
    return (
      <Failed
        message="This window could not be shown. What it holds on your computer is safe."
        act="Load the page again"
        onRetry={() => location.reload()}
      />
    );
  }
}
