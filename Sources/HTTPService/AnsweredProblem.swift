package import Hummingbird

/// A problem that is answered in another form than JSON, such as a page or a redirect. A handler throws it, so that the
/// request's line has the problem's code and its reason is logged, as of any other.
package struct AnsweredProblem: Error {
    /// The problem, for the log.
    package let problem: Problem
    /// The answer to it.
    package var response: Response

    /// The answer is sent as it is, with the headers that every answer has.
    package init(_ problem: Problem, by response: Response) {
        self.problem = problem
        self.response = response
    }
}
