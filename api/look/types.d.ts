// What a bundler makes of a style sheet: the names of its classes.
declare module "*.module.css" {
  const classes: Readonly<Record<string, string>>;
  export default classes;
}
