using System;
using System.Collections.Generic;

namespace NpcEngine.Tests
{
    /// <summary>
    /// Whether the face keeps step with the sound: a sound device, a game's frames and a network in one simulated time. The sound is a
    /// slow ramp and so is a coefficient, so that what is heard and what is shown tell their place in the line, to the sample.
    /// </summary>
    internal static class StepChecks
    {
        private const int Ticks = 200; // 4 s
        private const int Block = 1024; // frames, Unity's default

        internal static void Run(string[] arguments)
        {
            foreach (int rate in new[] { 44100, 48000 })
            {
                foreach (int frames in new[] { 30, 60, 144 })
                {
                    new Simulation(rate, frames, false).Play();
                    new Simulation(rate, frames, true).Play();
                }
            }
        }

        private sealed class Simulation
        {
            private readonly Random _chance;
            private readonly string _name;
            private readonly int _rate;
            private readonly int _frameRate;
            private readonly bool _cancel;
            private readonly Playback _playback = new Playback();
            private readonly PlaybackStream _stream;
            private readonly SoundClock _clock;
            private readonly List<float> _device = new List<float>();
            private readonly double[] _arrival = new double[Ticks / 2];
            private readonly List<double> _lags = new List<double>();
            private int _arrived;
            private double _nextCall;
            private long _lastSounding = -1; // frame
            private double _stopped = -1; // when the line ended or was cut, as heard
            private double _shut = -1;

            internal Simulation(int rate, int frameRate, bool cancel)
            {
                _chance = new Random(rate + frameRate);
                _name = rate + " Hz, " + frameRate + " frames/s" + (cancel ? ", cut" : "");
                _rate = rate;
                _frameRate = frameRate;
                _cancel = cancel;
                _stream = new PlaybackStream(_playback, rate);
                _clock = new SoundClock(rate);
            }

            private double Latency { get { return 2.0 * Block / _rate; } } // from a call until its first frame sounds

            internal void Play()
            {
                for (int i = 0; i < _arrival.Length; i++)
                {
                    double late = i * 0.04 - 0.6 + 0.08 * _chance.NextDouble() + (i * 0.04 > 1.6 ? 0.3 : 0.0);
                    _arrival[i] = Math.Max(0.1 + Math.Max(0, late), i > 0 ? _arrival[i - 1] : 0);
                }

                double now = 0;
                bool stalled = false;
                while (now < 8 && (_shut < 0 || now < _shut + 0.2))
                {
                    double step = (0.7 + 0.6 * _chance.NextDouble()) / _frameRate;
                    if (!stalled && now > 2.2)
                    {
                        stalled = true;
                        step = 0.3; // the game stands still; sound device and network go on
                    }

                    Device(now + step);
                    now += step;
                    Frame(now);
                }

                Judge();
            }

            /// <summary>The sound device up to a time: asks for block after block, up to 4 ms early or late.</summary>
            private void Device(double until)
            {
                while (_nextCall <= until)
                {
                    double called = _nextCall + 0.004 * (_chance.NextDouble() - 0.5) * 2;
                    Receive(called);
                    var data = new float[2 * Block];
                    _clock.Asked(called, _stream.Frames, Block);
                    _stream.Read(data, 0, Block, 2);
                    for (int i = 0; i < Block; i++)
                    {
                        _device.Add(data[2 * i]);
                        if (data[2 * i] != data[2 * i + 1])
                        {
                            Program.Fail(_name, "the channels differ");
                        }
                    }

                    _nextCall += (double)Block / _rate;
                }
            }

            /// <summary>What the network has brought. It is added as the game's frame would; in a stall nothing is.</summary>
            private void Receive(double now)
            {
                while (!_isStalled(now) && _arrived < _arrival.Length && _arrival[_arrived] <= now)
                {
                    _playback.Add(Moment(2 * _arrived));
                    _arrived++;
                    if (_arrived == _arrival.Length)
                    {
                        var end = new NpcEvent();
                        end.Clear(NpcEventKind.End);
                        end.Ticks = Ticks;
                        _playback.Add(end);
                    }
                }
            }

            private bool _isStalled(double now)
            {
                return now > 2.25 && now < 2.5;
            }

            private static NpcEvent Moment(long tick)
            {
                NpcEvent told = PlaybackChecks.Moment(tick, 2, 50, true, 0, -1);
                for (int i = 0; i < told.SoundSamples; i++)
                {
                    told.Sound[i] = (tick * Playback.TickSamples + i + 1) / 100000f;
                }

                for (int i = 0; i < told.Coefficients.Length; i++)
                {
                    told.Coefficients[i] = (tick + i / 50) / 200f;
                }

                return told;
            }

            private void Frame(double now)
            {
                Receive(now);
                long frame = _clock.Heard(now, Latency);
                Shown shown = _playback.At(_stream.PositionAt(frame));
                if (_cancel && _stopped < 0 && now > 3)
                {
                    _playback.Cut();
                    _stopped = now;
                }

                // what truly sounds: the device plays its first block when it has asked and the latency has passed
                var heard = (long)((now - Latency) * _rate);
                bool sounds = heard >= 0 && heard < _device.Count && _device[(int)heard] > 0.01f;
                _lastSounding = sounds ? heard : _lastSounding;
                if (!_cancel && _stopped < 0 && _lastSounding >= 0 && !sounds && heard / (double)_rate > 1 && _playback.ReceivedMs == Ticks * 20)
                {
                    while (_device[(int)_lastSounding + 1] > 0.01f)
                    {
                        _lastSounding++; // it went on after the game's last look
                    }

                    _stopped = Latency + _lastSounding / (double)_rate;
                }

                if (sounds && _stopped < 0 && shown.Closed == 0f)
                {
                    double heardMs = (_device[(int)heard] * 100000.0 - 1) / 24.0;
                    double shownMs = shown.Coefficients[0] * 200.0 * 20.0;
                    _lags.Add(heardMs - shownMs);
                }

                if (_stopped >= 0 && _shut < 0 && shown.Coefficients[0] == 0f)
                {
                    _shut = now;
                }
            }

            private void Judge()
            {
                _lags.Sort();
                Program.Check(_lags.Count > 2 * _frameRate / 3, _name, "only " + _lags.Count + " frames were compared");
                if (_lags.Count > 0)
                {
                    Console.WriteLine(
                        _name + ": lag " + _lags[0].ToString("0.0") + " … " + _lags[_lags.Count - 1].ToString("0.0") + " ms of " + _lags.Count
                        + " frames, shut after " + ((_shut - _stopped) * 1000).ToString("0") + " ms");
                    Program.Check(_lags[0] >= -10, _name, "a face was " + -_lags[0] + " ms early");
                    Program.Check(_lags[_lags.Count - 1] <= 20, _name, "a face was " + _lags[_lags.Count - 1] + " ms late");
                }

                Program.Check(_stopped > 0 && _shut > 0, _name, "did not end");
                Program.Check(_shut - _stopped <= 0.15, _name, "shut after " + (_shut - _stopped) * 1000 + " ms");
                Whole();
            }

            /// <summary>That the ramp rises without a leap, but for the silence in it.</summary>
            private void Whole()
            {
                double last = 0;
                int sounding = 0;
                foreach (float sample in _device)
                {
                    bool steady = sample > 0.02f && Math.Abs(sample - last) < 0.0001;
                    sounding += steady ? 1 : 0;
                    last = sample;
                }

                double least = (_cancel ? 1.0 : 0.99) * (_cancel ? 1.5 : Ticks * 0.02 - 0.1) * _rate;
                Program.Check(sounding > least, _name, sounding + " frames of sound, expected " + least);
            }
        }
    }
}
